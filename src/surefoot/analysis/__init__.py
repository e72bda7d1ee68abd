"""The sums: facts in, frozen results out; NumPy, SciPy, Shapely, pyproj and Numba only."""
