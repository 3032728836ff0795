"""VTSPolicy: the line by which a NonStop host asks a VTS server to move tapes; read, understood and written."""
