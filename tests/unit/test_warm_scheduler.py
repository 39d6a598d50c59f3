"""What the scheduler imports before it forks must not start threads: a fork would inherit their locks, not them."""

import subprocess
import sys


def test_the_imports_of_a_warm_scheduler_start_no_thread(tmp_path):
    script = (
        "import sys, threading; sys.argv = ['airflow', 'scheduler']\n"
        "from kizuna.console.plugin import HEAVY_MODULES, KizunaPlugin\n"
        "before = threading.active_count()\n"
        "KizunaPlugin.on_load()\n"
        "print('RESULT', threading.active_count() - before, all(name in sys.modules for name in HEAVY_MODULES))\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert "RESULT 0 True" in done.stdout, done.stdout + done.stderr
