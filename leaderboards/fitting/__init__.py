"""Likelihoods, Newton's method, clusters and bootstraps: what the fitted ratings share."""
