"""The parts of the label recipe `makto-step`: which turns get a label, which speeches keep it, how often they count."""
