"""How fast each part is, beside what else could be used in its place."""
