"""Host names of S3 in requests and links."""

from typing import Any

S3_HOSTS: Any = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
"""The part `s3` of botocore's Config, for hosts such as `bucket.s3.eu-central-1.amazonaws.com`.

By default botocore signs links for `bucket.s3.amazonaws.com`. It redirects to the region's host, where the
signature does not match, and knows no regions opened since 2019.
"""
