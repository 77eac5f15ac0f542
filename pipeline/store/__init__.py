"""Artifacts on disk: publishing, reading and verifying."""
