"""Everything that touches a trainer library: one module a supported release."""
