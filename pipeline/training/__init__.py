"""Training: the loop over epochs, seeds, class weights, and scores on validation rows."""
