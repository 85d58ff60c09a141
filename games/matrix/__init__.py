"""Normal-form games, played once or repeatedly, and the stages that papers put around them."""
