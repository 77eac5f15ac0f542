"""Where labelled texts come from: a catalogue, ways to fetch raw files, and readers."""
