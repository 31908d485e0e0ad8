from django.conf import settings


def site(request):
    """Adds the sign-up mode and the contact details of this installation."""
    support = (settings.SUPPORT_HOURS, settings.SUPPORT_PHONE, settings.SUPPORT_EMAIL)
    return {
        "has_support": any(support),
        "may_sign_up": settings.SIGNUP != "closed",
        "support_hours": settings.SUPPORT_HOURS,
        "support_phone": settings.SUPPORT_PHONE,
        "support_email": settings.SUPPORT_EMAIL,
    }
