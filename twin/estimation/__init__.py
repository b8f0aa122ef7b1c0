"""Estimators over a batch of devices: extended Kalman filter, EMA, CUSUM, baselines. Arrays in, arrays out."""
