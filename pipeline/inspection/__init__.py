"""Looking into the outputs folder: pure functions that the command line shows."""
