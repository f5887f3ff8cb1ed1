from typing import Any

from tests.infra.conftest import Templates, text


def secret(templates: Templates) -> Any:
    ((_, resource),) = templates.storage.find_resources("AWS::SecretsManager::Secret").items()
    return resource


def test_the_secret_is_generated_from_letters_and_digits(small: Templates) -> None:
    generated = secret(small)["Properties"]["GenerateSecretString"]
    assert generated == {"ExcludePunctuation": True, "PasswordLength": 64}


def test_the_secret_is_kept_with_the_other_data(small: Templates) -> None:
    assert secret(small)["DeletionPolicy"] == secret(small)["UpdateReplacePolicy"] == "Retain"


def test_the_secret_is_encrypted_with_the_stages_key_if_there_is_one(
    small: Templates, large: Templates
) -> None:
    assert "KmsKeyId" not in secret(small)["Properties"]
    assert "StorageKey" in text(secret(large)["Properties"]["KmsKeyId"])
