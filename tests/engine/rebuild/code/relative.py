from .models import sequential  # noqa: F401
