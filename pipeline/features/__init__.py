"""Encoders: fitted on training rows, they turn tokens or clean texts into arrays."""
