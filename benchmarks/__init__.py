"""Side-by-side measurements; each is a module that can be run."""
