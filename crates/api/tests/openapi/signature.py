"""Signs the requests of schemathesis as the Onlive dialect wants it; see docs/onlive.md. Loaded with SCHEMATHESIS_HOOKS,
and without a key it does nothing."""

import hashlib
import hmac
import os
import time
from urllib.parse import quote, unquote_to_bytes, urlsplit

import schemathesis
from requests.auth import AuthBase


def encoded(text):
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="-._~")


class Signature(AuthBase):
    def __call__(self, request):
        # What schemathesis sends without credentials, or with wrong ones, stays so.
        if request.headers.get("Authorization") != "to be signed":
            return request
        url = urlsplit(request.url)
        pairs = [pair.partition("=") for pair in url.query.split("&") if pair]
        query = "&".join("=".join(pair) for pair in sorted((encoded(name), encoded(value)) for name, _, value in pairs))
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        text = "\n".join(
            [request.method, url.path, query, f"x-onlive-site-date:{date}", hashlib.sha256(body).hexdigest()]
        )
        signature = hmac.new(os.environ["ONLIVE_SECRET"].encode(), text.encode(), hashlib.sha256).hexdigest()
        request.headers["Authorization"] = (
            f"ONLIVESITE Credential:{os.environ['ONLIVE_ACCESS_KEY']}, Signature={signature}"
        )
        request.headers["x-onlive-site-date"] = date
        return request


if "ONLIVE_ACCESS_KEY" in os.environ:
    schemathesis.auth.set_from_requests(Signature())
