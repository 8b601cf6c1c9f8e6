"""``app`` for servers and the flask command; ``python run.py`` serves development."""

from __future__ import annotations

from app import create_app

app = create_app()

if __name__ == "__main__":
    from app.devserver import serve

    serve(app)
