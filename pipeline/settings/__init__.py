"""Settings: declarations, defaults and checks."""
