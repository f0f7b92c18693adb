"""Changes objects behind Vitrine's back, as somebody else's program would."""

import subprocess

from vitrine import build_folder


def put_object(services, key, content):
    """Straight into the bucket; the catalog knows nothing of it."""
    path = services.s3.folder / "object"
    path.write_bytes(content)
    subprocess.run([build_folder() / "tests" / "integration" / "probe_origin", f"--endpoint={services.s3.endpoint}",
                    "--access-key-id=S3RVER", "--secret-access-key=S3RVER", "put", key, path],
                   check=True, capture_output=True, timeout=20)
