import logging

from csp.constants import NONE
from csp.decorators import csp
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views import View

from tickets.models import Attachment

logger = logging.getLogger(__name__)


@method_decorator(csp({"default-src": [NONE], "sandbox": True, "frame-ancestors": [NONE]}), name="dispatch")
class AttachmentView(View):
    """Hands out a file as bytes to keep, never as something that a browser would show or run."""

    http_method_names = ["get", "head", "options"]

    def get(self, request, key):
        attachment = get_object_or_404(Attachment.objects.visible_to(request.user), key=key)
        try:
            content = attachment.file.open()
        except FileNotFoundError as error:
            logger.error("The file of attachment %s is missing in the storage.", attachment.pk)
            raise Http404 from error
        return FileResponse(
            content, as_attachment=True, filename=attachment.name, content_type="application/octet-stream"
        )
