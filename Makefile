.PHONY: run test lint bench docs golden fuzz upstream faults soak deploy clean

run: .venv/made-from
	.venv/bin/logparse replay fixtures/12.0-w2-info/odoo.log

test:
	tests/run.sh

lint: .venv/made-from
	.venv/bin/ruff check . && .venv/bin/mypy

bench: .venv/made-from
	.venv/bin/python benchmarks/run.py
	.venv/bin/python benchmarks/tailing.py
	.venv/bin/python benchmarks/following.py
	.venv/bin/python benchmarks/following.py --jobs 100000

docs: .venv/made-from
	.venv/bin/python docs/generate.py
	.venv/bin/python -m monitoring.generate

golden: .venv/made-from
	.venv/bin/python -m tests.golden --write

fuzz: .venv/made-from
	LOGPARSE_HYPOTHESIS=fuzz .venv/bin/python -m pytest
	.venv/bin/python -m pip install --quiet --disable-pip-version-check atheris
	.venv/bin/python -m tests.fuzz_records -max_total_time=600

upstream: .venv/made-from
	.venv/bin/python tests/upstream.py

faults: .venv/made-from
	LOGPARSE_KILLS=$${KILLS:-40} LOGPARSE_SEED=$${SEED:-$$(date +%s)} .venv/bin/python -m pytest -v --numprocesses auto tests/test_faults.py

deploy:
	tests/deploy/real.sh

# An hour of log time at 5,000 lines a second, as fast as it is read.
soak: .venv/made-from
	.venv/bin/python benchmarks/following.py --soak 18000000

clean:
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache benchmarks/data

.venv/made-from: pyproject.toml
	tests/run.sh --collect-only -q
