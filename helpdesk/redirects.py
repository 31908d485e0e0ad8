from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme


def previous_page(request) -> HttpResponseRedirect:
    """Redirects to the page of ours that sent the form, without its restored draft; else to the home page.

    The form may name its page. It names none where the page was the answer to another form, because such a
    page can't be opened by its address.
    """
    page = request.POST.get("page", request.headers.get("Referer", ""))
    hosts = {request.get_host()}
    if not url_has_allowed_host_and_scheme(page, allowed_hosts=hosts, require_https=request.is_secure()):
        return redirect("home")
    return redirect(page.split("?draft=")[0])
