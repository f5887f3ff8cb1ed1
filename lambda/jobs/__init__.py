"""The jobs API: submit, follow, settle."""
