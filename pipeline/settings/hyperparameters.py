"""Declarations of all hyper-parameters of models.

Command-line parameters, their help and their checks are generated from these declarations.
"""

from pipeline.settings.setting import Setting

# fmt: off
ACTIVATIONS = (
    "elu", "gelu", "hard_sigmoid", "leaky_relu", "linear", "relu", "selu", "sigmoid", "softplus",
    "swish", "tanh",
)
_DECLARATIONS = (
    Setting("class_weights", "floats", "none", "weight of each class in the loss, in the order of "
            "the labels; balanced: inverse class frequency with mean 1, max: size of the largest "
            "class over that of each class", above=0, also=("none", "balanced", "max")),
    Setting("variant", "choice", "multinomial", "variant of naive Bayes",
            choices=("multinomial", "complement")),
    Setting("alpha", "float", 1.0, "Laplace smoothing, added to the count of each word", above=0),
    Setting("cost", "float", 1.0, "weight of the errors against the L2 penalty (C of "
            "scikit-learn); larger fits closer", above=0),
    Setting("calibration_folds", "int", 5, "folds of the training rows whose held-out scores "
            "calibrate the probabilities", unit="folds", low=2),
    Setting("beta", "float", 1.0, "interpolation between the mean magnitude of the weights (0) and "
            "the linear model (1)", low=0, high=1),
    Setting("units", "ints", (64,), "width of each recurrent layer (per direction), or of each "
            "dense layer in a model without recurrent layers; first layer first", unit="cells",
            low=1),
    Setting("top_units", "int", 0, "width of an additional forward-only recurrent layer on top; 0: "
            "none", unit="cells", low=0),
    Setting("dense_units", "ints", "none", "width of each dense layer between the vector of the "
            "text and the output", unit="cells", low=1, also=("none",)),
    Setting("activations", "words", ("relu",), "activation of each dense layer before the output; "
            "one value applies to all", choices=ACTIVATIONS),
    Setting("l2", "floats", (0.0,), "L2 penalty on the weights of each dense layer before the "
            "output; one value applies to all", low=0),
    Setting("longest_run", "int", 2, "longest word n-gram", unit="words", low=1),
    Setting("subwords", "ints", (2, 5), "shortest and longest character n-gram inside a word",
            unit="characters", low=1, also=("none",), length=2),
    Setting("buckets", "int", 200_000, "number of hashed vectors that word and character n-grams "
            "share", unit="vectors", low=1),
    Setting("filters", "int", 32, "number of convolution filters", low=1),
    Setting("filter_width", "int", 5, "width of a convolution filter", unit="tokens", low=1),
    Setting("fused", "flag", True, "whether LSTM layers, bags of words and Adam are single "
            "operations; false: those of Keras, which are slower"),
    Setting("embedding_size", "int", 128, "dimensions of word vectors that are learned", low=1),
    Setting("freeze_embedding", "flag", False,
            "whether pretrained word vectors stay fixed in training"),
    Setting("spatial_dropout", "float", 0.0, "share of embedding dimensions dropped in training, "
            "the same for all tokens of a text", low=0, below=1),
    Setting("dropout", "float", 0.5, "share of values dropped in training: after the first dense "
            "layer, or before the output without one; bag_dense and sentence_encoder: after "
            "every dense layer", low=0, below=1),
    Setting("input_dropout", "float", 0.0, "share of the inputs of each recurrent layer dropped in "
            "training", low=0, below=1),
    Setting("recurrent_dropout", "float", 0.0, "share of the state of each recurrent layer dropped "
            "between tokens in training", low=0, below=1),
    Setting("batch_normalization", "flag", False, "whether the states of each recurrent layer are "
            "normalized over the batch"),
    Setting("mask_padding", "flag", True, "whether padding is masked; if not, every text is padded "
            "to the full sequence length"),
    Setting("pooling", "choice", "last", "how the states of all tokens become one vector",
            choices=("last", "max", "mean", "max_mean")),
    Setting("loss", "choice", "cross_entropy", "loss function; focal: cross-entropy with more "
            "weight on hard texts, mse and mae: squared and absolute error of the probabilities",
            choices=("cross_entropy", "focal", "mse", "mae")),
    Setting("output_bias", "choice", "none", "initial bias of the output; frequencies: from the "
            "class frequencies of the training rows", choices=("none", "frequencies")),
    Setting("train_fraction", "float", 1.0, "stratified share of the training rows that the model "
            "is trained on, for learning curves; vocabulary and the other parts do not change",
            above=0, high=1),
    Setting("max_train_rows", "int", 0, "largest number of training rows; of more, a stratified "
            "sample is used; 0: all", unit="rows", low=0),
    Setting("optimizer", "choice", "adam", "optimizer, with the defaults of Keras except for the "
            "learning rate", choices=("adam", "adamw", "nadam", "rmsprop", "sgd")),
    Setting("learning_rate", "float", 1e-3, "learning rate of the optimizer", above=0),
    Setting("batch_size", "int", 32, "texts in each training step", unit="texts", low=1),
    Setting("epochs", "int", 20, "most passes over the training rows", unit="epochs", low=1),
    Setting("monitor", "choice", "loss", "validation metric that decides when to stop and which "
            "weights to keep", choices=("loss", "accuracy", "auc", "f1")),
    Setting("patience", "int", 3, "epochs without improvement before training stops; 0: train all "
            "epochs, keep the last", unit="epochs", low=0),
    Setting("min_change", "float", 0.0, "smallest change that counts as an improvement", low=0),
    Setting("refit_on_validation", "flag", False, "whether to train again on training and "
            "validation rows, for the best number of epochs"),
    Setting("reduce_factor", "float", 1.0, "factor on the learning rate if the monitored metric "
            "stops improving; 1: never reduce", above=0, high=1),
    Setting("reduce_patience", "int", 2, "epochs without improvement before the learning rate is "
            "reduced", unit="epochs", low=1),
    Setting("seed", "int", 0, "seed of initial weights, dropout and batch order", low=0,
            high=2 ** 32 - 1),
)
# fmt: on
HYPERPARAMETERS = {setting.name: setting for setting in _DECLARATIONS}
