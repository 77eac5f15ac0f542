"""Training of networks: epochs, batches, losses, early stopping, checkpoints and logs."""
