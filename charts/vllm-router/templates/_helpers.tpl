{{- define "vllm-router.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "vllm-router.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "vllm-router.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "vllm-router.selectorLabels" -}}
app.kubernetes.io/name: {{ include "vllm-router.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "vllm-router.labels" -}}
{{ include "vllm-router.selectorLabels" . }}
app.kubernetes.io/component: router
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "vllm-router.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "vllm-router.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The namespace in which engines are looked for. */}}
{{- define "vllm-router.engineNamespace" -}}
{{- default .Release.Namespace .Values.discovery.k8s.namespace -}}
{{- end -}}

{{- define "vllm-router.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{/* Names what probes ask: the admin port speaks plain HTTP, whatever the main port does. */}}
{{- define "vllm-router.probePort" -}}
port: {{ ternary "admin" "http" .Values.adminPort.enabled }}
{{- if and .Values.tls.existingSecret (not .Values.adminPort.enabled) }}
scheme: HTTPS
{{- end }}
{{- end -}}
