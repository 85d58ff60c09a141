"""Model access by name: from a name to an answer, with one cache, budget, limiter and redactor above all clients."""
