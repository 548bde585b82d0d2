"""Prints how many bytes a gzip file holds, and their sum."""
import gzip, sys

data = gzip.open(sys.argv[1]).read()
print(len(data), sum(data))
