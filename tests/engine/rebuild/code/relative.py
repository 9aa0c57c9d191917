from .models import sequential
