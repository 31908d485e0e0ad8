from django.conf import settings


def site(request):
    """What the pages say about this installation."""
    return {
        "may_sign_up": settings.SIGNUP != "closed",
        "support_hours": settings.SUPPORT_HOURS,
        "support_phone": settings.SUPPORT_PHONE,
        "support_email": settings.SUPPORT_EMAIL,
    }
