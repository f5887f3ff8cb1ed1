"""The benchmark on a GPU: one command of eight minutes, which writes the tables of docs/performance.md."""
