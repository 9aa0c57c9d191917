raise SystemExit("usage: train.py DATA")
