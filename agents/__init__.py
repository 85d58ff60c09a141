"""Game-independent deciders: bots that fit every game, the human, and the methods around a model."""
