// With an assembly file in its package, a function without a body compiles.
