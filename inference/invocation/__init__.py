"""An invocation from request body to result document: passes, progress, cancellation."""
