"""Survival auction: bid for water or die of thirst."""
