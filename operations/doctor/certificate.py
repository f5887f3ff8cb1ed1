"""Check of the certificate of a domain name."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from infra.config.domain import region_of
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, error_code, failed, passed


@dataclass(frozen=True)
class Certificate:
    """The certificate exists, is issued, and covers the domain name.

    Attributes:
        setting: the setting with name and certificate, such as api.domain.
        domain: the domain name.
    """

    aws: Aws
    setting: str
    domain: str
    arn: str

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"certificate of {self.setting}"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        region = region_of(self.arn)
        acm = self.aws.client("acm", region)
        try:
            certificate = acm.describe_certificate(CertificateArn=self.arn)["Certificate"]
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            return failed(
                f"{region} has no certificate {self.arn}",
                f"request one for {self.domain} there, and name it in {self.setting}.certificate_arn",
            )
        if certificate["Status"] != "ISSUED":
            return failed(
                f"the certificate {self.arn} is {certificate['Status']}, not ISSUED",
                "create the records that AWS Certificate Manager shows for it, or request another one",
            )
        names = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])}
        if not names & {self.domain, f"*.{self.domain.partition('.')[2]}"}:
            return failed(
                f"the certificate {self.arn} is for {', '.join(sorted(names))}, not for {self.domain}",
                f"request one for {self.domain}, and name it in {self.setting}.certificate_arn",
            )
        return passed(f"for {self.domain}, in {region}")
