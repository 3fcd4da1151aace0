"""Settings of the Django application: contrib wants them to be found by DJANGO_SETTINGS_MODULE."""

from __future__ import annotations

ALLOWED_HOSTS = ["shop.example.com"]
DATABASES = {}
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "served_django"
SECRET_KEY = "of a benchmark"
