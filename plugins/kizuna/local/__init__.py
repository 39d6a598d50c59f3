"""The system on one machine: its Postgres, its Airflow processes, its sandbox, and the guided demo."""
