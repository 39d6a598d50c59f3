"""Kizuna's pages inside the Airflow UI."""
