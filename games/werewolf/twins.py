def twins(g,s,t): return []
