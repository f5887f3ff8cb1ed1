// Generated from docs/openapi.json by `npm run generate`.
export const OPERATIONS = {
  "submitJob": {
    "method": "POST",
    "path": "/v1/jobs"
  },
  "listJobs": {
    "method": "GET",
    "path": "/v1/jobs"
  },
  "getJob": {
    "method": "GET",
    "path": "/v1/jobs/{job_id}"
  },
  "updateJob": {
    "method": "PATCH",
    "path": "/v1/jobs/{job_id}"
  },
  "deleteJob": {
    "method": "DELETE",
    "path": "/v1/jobs/{job_id}"
  },
  "cancelJob": {
    "method": "POST",
    "path": "/v1/jobs/{job_id}/cancel"
  },
  "createUpload": {
    "method": "POST",
    "path": "/v1/uploads"
  },
  "listModels": {
    "method": "GET",
    "path": "/v1/models"
  },
  "listSamplers": {
    "method": "GET",
    "path": "/v1/samplers"
  },
  "listAdapters": {
    "method": "GET",
    "path": "/v1/adapters"
  },
  "getOpenapi": {
    "method": "GET",
    "path": "/v1/openapi.json"
  },
  "getDocs": {
    "method": "GET",
    "path": "/v1/docs"
  }
} as const;
