"""The Images API of OpenAI, as the clients `openai` of PyPI and npm call it."""
