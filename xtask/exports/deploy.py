"""deploy.py URL ACCOUNT REGION TEMPLATE: create a stack from a template on LocalStack, and wait until it is complete.

For the parameters of the Query API, see "CreateStack" and "DescribeStacks" (AWS CloudFormation API Reference). LocalStack does
not check signatures, and reads account and region from the credential.
"""

import sys
import time
import urllib.error
import urllib.parse
import urllib.request

url, account, region, template = sys.argv[1:]
STACK = "flowagg-hub"
WITHIN_SECONDS = 60


def call(action, **more):
    credential = f"Credential={account}/20260101/{region}/cloudformation/aws4_request"
    parameters = {"Action": action, "Version": "2010-05-15", "StackName": STACK, **more}
    request = urllib.request.Request(url, urllib.parse.urlencode(parameters).encode())
    request.add_header("Authorization", f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=none")
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_SECONDS) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        sys.exit(f"{action}: {error}\n{error.read().decode()}")


with open(template, encoding="utf-8") as text:
    call("CreateStack", TemplateBody=text.read())
ends = time.monotonic() + WITHIN_SECONDS
while time.monotonic() < ends:
    response = call("DescribeStacks")
    if "<StackStatus>CREATE_COMPLETE<" in response:
        sys.exit(0)
    if "_IN_PROGRESS<" not in response:
        sys.exit(f"the stack failed:\n{response}")
    time.sleep(0.2)
sys.exit(f"the stack is not complete after {WITHIN_SECONDS} s:\n{response}")
