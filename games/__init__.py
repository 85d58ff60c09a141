"""The games, one folder each; a folder that begins with an underscore is a core that several games share."""
