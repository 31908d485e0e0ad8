import logging
from io import BytesIO

from csp.constants import NONE
from csp.decorators import csp
from django.forms import BaseForm
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.decorators import method_decorator
from django.utils.http import quote_etag
from django.views import View

from tickets.forms.attachments import UNAVAILABLE
from tickets.models import Attachment
from tickets.models.attachment_querysets import AttachmentQuerySet
from tickets.storage.access import RETRY_AFTER, FileLost, StoreUnavailable

logger = logging.getLogger(__name__)
IN_A_SANDBOX = csp({"default-src": [NONE], "sandbox": True, "frame-ancestors": [NONE]})


def unavailable_if_refused(page: HttpResponse, form: BaseForm) -> HttpResponse:
    """Returns the page of a refused form: with 503 if the attachment store failed."""
    if any(form.has_error(name, UNAVAILABLE) for name in form.errors):
        page.status_code = 503
        page["Retry-After"] = str(RETRY_AFTER)
    return page


def find_file(files: AttachmentQuerySet, key: str, reader) -> Attachment:
    """Raises Http404 if `reader` may not see the file."""
    found = files.get_visible(key, reader)
    if found is None:
        raise Http404
    return found


class AttachmentView(View):
    """Serves a file as a download, never as something that a browser displays or runs."""

    http_method_names = ["get", "head", "options"]

    def get(self, request, key):
        """Reads the whole file before the response starts, so that none breaks off after a 200."""
        attachment = find_file(Attachment.objects.all(), key, request.user)
        try:
            content = attachment.content()
        except StoreUnavailable:
            page = self.unreadable(attachment, status=503)
            page["Retry-After"] = str(RETRY_AFTER)
            return page
        except FileLost as error:
            logger.error("The file of attachment %s is missing in the storage: %s", attachment.pk, error)
            return self.unreadable(attachment, status=404, is_lost=True)
        return self.file(request, attachment, content)

    @method_decorator(IN_A_SANDBOX)
    def file(self, request, attachment: Attachment, content: bytes) -> FileResponse:
        return FileResponse(
            BytesIO(content),
            as_attachment=True,
            filename=attachment.name,
            content_type="application/octet-stream",
        )

    def unreadable(self, attachment: Attachment, *, status: int, is_lost: bool = False) -> HttpResponse:
        context = {"attachment": attachment, "is_lost": is_lost}
        return render(self.request, "tickets/attachment_unreadable.html", context, status=status)


@method_decorator(IN_A_SANDBOX, name="dispatch")
class PictureView(View):
    """Serves the renditions of tickets.files.pictures. The browser caches them and revalidates each time."""

    http_method_names = ["get", "head", "options"]

    def get(self, request, key, size):
        if size not in (Attachment.VIEW, Attachment.THUMBNAIL):
            raise Http404
        pictures = Attachment.objects.filter(picture_state=Attachment.PictureState.READY)
        attachment = find_file(pictures, key, request.user)
        mark = quote_etag(f"{attachment.sha256[:32]}.{size}")
        response = get_conditional_response(request, etag=mark)
        if response is None:
            response = self._answer(attachment, size)
        response["ETag"] = mark
        patch_cache_control(response, private=True, no_cache=True)
        return response

    @staticmethod
    def _answer(attachment: Attachment, size: str) -> HttpResponse:
        """Responds without an error page: a browser displays nothing but a picture here."""
        try:
            return HttpResponse(attachment.picture(size), content_type="image/webp")
        except StoreUnavailable:
            return HttpResponse(status=503, headers={"Retry-After": str(RETRY_AFTER)})
        except FileLost as error:
            logger.error("A picture of attachment %s is missing in the storage: %s", attachment.pk, error)
            raise Http404 from error
