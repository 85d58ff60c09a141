"""The Resistance: Avalon."""
