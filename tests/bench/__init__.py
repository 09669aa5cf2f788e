"""How fast the calls that matter are, measured in one run against two baselines: a floor, and plain DRF."""
