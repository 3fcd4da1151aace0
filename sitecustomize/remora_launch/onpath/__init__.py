"""The only folder ever put on PYTHONPATH; being a package, it is not left out of wheels."""
