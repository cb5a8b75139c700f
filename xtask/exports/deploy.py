"""deploy.py URL ACCOUNT REGION TEMPLATE: makes a stack of a template on LocalStack and waits until it is whole.

The words of the Query API are those of "CreateStack" and "DescribeStacks" (AWS CloudFormation API Reference). LocalStack
checks no signature: it takes the account and the region from the credential.
"""

import sys
import time
import urllib.error
import urllib.parse
import urllib.request

url, account, region, template = sys.argv[1:]
STACK = "flowagg-hub"
WITHIN_SECONDS = 60


def ask(action, **more):
    credential = f"Credential={account}/20260101/{region}/cloudformation/aws4_request"
    words = {"Action": action, "Version": "2010-05-15", "StackName": STACK, **more}
    request = urllib.request.Request(url, urllib.parse.urlencode(words).encode())
    request.add_header("Authorization", f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=none")
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_SECONDS) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        sys.exit(f"{action}: {error}\n{error.read().decode()}")


with open(template, encoding="utf-8") as text:
    ask("CreateStack", TemplateBody=text.read())
ends = time.monotonic() + WITHIN_SECONDS
while time.monotonic() < ends:
    answer = ask("DescribeStacks")
    if "<StackStatus>CREATE_COMPLETE<" in answer:
        sys.exit(0)
    if "_IN_PROGRESS<" not in answer:
        sys.exit(f"the stack failed:\n{answer}")
    time.sleep(0.2)
sys.exit(f"the stack is not whole after {WITHIN_SECONDS} s:\n{answer}")
