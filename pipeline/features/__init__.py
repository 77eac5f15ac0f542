"""What models read: encoders that are fitted on training rows and turn tokens into arrays."""
