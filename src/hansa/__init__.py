"""Hansa: the software with which telecom operators run an alliance."""
