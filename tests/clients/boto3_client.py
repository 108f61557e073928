"""boto3: usage: boto3_client.py modes | MODE FILE KEY"""

import os
import sys
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

MIB = 1024 * 1024
BUCKET = os.environ.get('REEL_BUCKET')


def client(**config):
    return boto3.client('s3', endpoint_url=os.environ['REEL_URL'],
                        region_name=os.environ['AWS_REGION'],
                        config=Config(signature_version='s3v4',
                                      s3={'addressing_style': 'path'},
                                      retries={'max_attempts': 1}, **config))


def put(s3, path, key):
    with open(path, 'rb') as f:
        s3.put_object(Bucket=BUCKET, Key=key, Body=f)
    head = s3.head_object(Bucket=BUCKET, Key=key)
    assert head['ContentLength'] == os.path.getsize(path), head


def upload_file(s3, path, key):
    s3.upload_file(path, BUCKET, key, Config=TransferConfig(
        8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4))


def checksum(s3, path, key):
    with open(path, 'rb') as f:
        s3.put_object(Bucket=BUCKET, Key=key, Body=f,
                      ChecksumAlgorithm='SHA256')


def send(url, body, method='PUT'):
    req = urllib.request.Request(url, data=body, method=method)
    with urllib.request.urlopen(req) as answer:
        return answer.headers['ETag']


def presigned(s3, path, key):
    url = s3.generate_presigned_url('put_object', Params={
        'Bucket': BUCKET, 'Key': key}, ExpiresIn=300)
    with open(path, 'rb') as f:
        send(url, f.read())


def parts(s3, path, key):
    """presigned parts, listed again before the end"""
    up = s3.create_multipart_upload(Bucket=BUCKET, Key=key)['UploadId']
    names = {'Bucket': BUCKET, 'Key': key, 'UploadId': up}
    etags = {}
    with open(path, 'rb') as f:
        n = 1
        while True:
            data = f.read(5 * MIB)
            if n > 1 and not data:
                break
            url = s3.generate_presigned_url('upload_part', Params=dict(
                names, PartNumber=n), ExpiresIn=300)
            etags[n] = send(url, data)
            n += 1
    listed = s3.list_parts(**names)['Parts']
    assert {p['PartNumber']: p['ETag'] for p in listed} == etags, listed
    assert sum(p['Size'] for p in listed) == os.path.getsize(path), listed
    open_ones = s3.list_multipart_uploads(Bucket=BUCKET)['Uploads']
    assert up in [u['UploadId'] for u in open_ones], open_ones
    done = s3.complete_multipart_upload(MultipartUpload={'Parts': [
        {'PartNumber': p['PartNumber'], 'ETag': p['ETag']} for p in listed]},
        **names)
    again = s3.complete_multipart_upload(MultipartUpload={'Parts': [
        {'PartNumber': p['PartNumber'], 'ETag': p['ETag']} for p in listed]},
        **names)
    assert done['ETag'] == again['ETag'], again


MODES = {'put': put, 'upload_file': upload_file, 'checksum': checksum,
         'presigned': presigned, 'parts': parts}


def main():
    if sys.argv[1] == 'modes':
        print('\n'.join(MODES))
        return
    MODES[sys.argv[1]](client(), sys.argv[2], sys.argv[3])


if __name__ == '__main__':
    main()
